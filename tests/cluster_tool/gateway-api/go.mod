// The Gateway API whose CRDs the cluster gets: the version that Traefik was compiled with.
module actor-operator.dev/tests/cluster-tool/gateway-api

go 1.26.0

require sigs.k8s.io/gateway-api v1.6.3
