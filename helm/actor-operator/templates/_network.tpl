{{/* Peer of NetworkPolicies: the pods of runs, in any namespace. */}}
{{- define "actor-operator.runPeer" -}}
- namespaceSelector: {}
  podSelector:
    matchExpressions:
      - key: actor-operator.dev/run-uid
        operator: Exists
{{- end -}}

{{/* Rule of NetworkPolicies: who may read metrics. */}}
{{- define "actor-operator.metricsIngress" -}}
# Plugins let a node's kubelet, which asks /readyz here, reach the pods of its node in any case.
- ports:
    - port: metrics
  {{- with .Values.networkPolicy.metricsFrom }}
  from:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Rules of NetworkPolicies: to the Kubernetes API and DNS. */}}
{{- define "actor-operator.kubernetesEgress" -}}
- ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - port: {{ . }}
    {{- end }}
  {{- with .Values.networkPolicy.apiServerTo }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end -}}
