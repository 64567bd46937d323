{{/* Name of every object: the release's name, with "actor-operator" in it. */}}
{{- define "actor-operator.fullname" -}}
{{- if contains "actor-operator" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-actor-operator" (.Release.Name | trunc 25 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/*
Name of objects without a namespace. An installation of some namespaces may stand beside one of the
same name for the whole cluster.
*/}}
{{- define "actor-operator.clusterName" -}}
{{- if .Values.settings.namespaces -}}
{{- printf "%s-%s" (include "actor-operator.fullname" .) .Release.Namespace -}}
{{- else -}}
{{- include "actor-operator.fullname" . -}}
{{- end -}}
{{- end -}}

{{/* Selector of the namespaces in which this installation works. */}}
{{- define "actor-operator.namespaceSelector" -}}
{{- if .Values.settings.namespaces -}}
matchLabels:
  actor-operator.dev/install: {{ .Release.Namespace | quote }}
{{- else -}}
matchExpressions:
  - key: actor-operator.dev/install
    operator: DoesNotExist
{{- end -}}
{{- end -}}

{{/* "true" where runs have URLs. */}}
{{- define "actor-operator.hasUrls" -}}
{{- if and .Values.settings.webServer.domain (ne .Values.settings.webServer.mode "none") -}}
{{- if and .Values.settings.network.policy (not .Values.settings.network.webServerFrom) -}}
{{- fail "settings.network.webServerFrom must name the namespace of the ingress controller, which else could not reach the runs (or settings.network.policy must be false)" -}}
{{- end -}}
true
{{- end -}}
{{- end -}}

{{/* The IngressClass of runs where they have Ingresses, else nothing. */}}
{{- define "actor-operator.ingressClass" -}}
{{- if and (include "actor-operator.hasUrls" .) (eq .Values.settings.webServer.mode "ingress") -}}
{{- required "settings.webServer.ingress.className must name the IngressClass that serves the domain" .Values.settings.webServer.ingress.className -}}
{{- end -}}
{{- end -}}

{{/* "true" where runs have HTTPRoutes, which then are on a Gateway. */}}
{{- define "actor-operator.hasRoutes" -}}
{{- if and (include "actor-operator.hasUrls" .) (eq .Values.settings.webServer.mode "httproute") -}}
{{- with .Values.settings.webServer.gateway -}}
{{- $sentence := "settings.webServer.gateway.name and .namespace must name the domain's Gateway" -}}
{{- $_ := required $sentence .name -}}
{{- $_ := required $sentence .namespace -}}
true
{{- end -}}
{{- end -}}
{{- end -}}

{{/* CEL: whether the variable `host` is the run domain, below it, or a wildcard over it. */}}
{{- define "actor-operator.isHostOfRuns" -}}
{{- with .Values.settings.webServer.domain -}}
(host == '{{ . }}' || host.endsWith('.{{ . }}')
|| (host.startsWith('*.') && '.{{ . }}'.endsWith(host.substring(1))))
{{- end -}}
{{- end -}}

{{/* CEL: whether somebody else than the operator asks, or who may write the same. */}}
{{- define "actor-operator.isNotRouteWriter" -}}
{{- $operator := printf "system:serviceaccount:%s:%s" .Release.Namespace (include "actor-operator.serviceAccountName" .) -}}
!(request.userInfo.username in {{ prepend (.Values.admissionPolicies.routeWriters | default list) $operator | toJson }})
{{- end -}}

{{/* What the operator may do in namespaces with runs: what its code calls, which a test compares. */}}
{{- define "actor-operator.runRules" -}}
- apiGroups: [actor-operator.dev]
  resources: [actors]
  verbs: [get, list, watch]
# Finished runs are deleted when their time is over.
- apiGroups: [actor-operator.dev]
  resources: [actorruns]
  verbs: [get, list, watch, delete]
- apiGroups: [actor-operator.dev]
  resources: [actors/status, actorruns/status]
  verbs: [update]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, delete, patch]
# Never get, list, watch or deletecollection: the operator cannot read a secret.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- if include "actor-operator.hasUrls" . }}
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}
{{- if include "actor-operator.ingressClass" . }}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}
{{- if include "actor-operator.hasRoutes" . }}
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
{{- end }}
{{- if .Values.settings.network.policy }}
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch]
{{- end }}
{{- end -}}

{{/* What identifies the operator's pods; never changes during the life of a release. */}}
{{- define "actor-operator.selectorLabels" -}}
app.kubernetes.io/name: actor-operator
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "actor-operator.labels" -}}
{{ include "actor-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: actor-operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Name of the service account: ours, or the one that exists. */}}
{{- define "actor-operator.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "actor-operator.fullname" .) -}}
{{- end -}}

{{/* The image: by digest where one is given, else by tag. */}}
{{- define "actor-operator.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Name of the service account of the API server. */}}
{{- define "actor-operator.apiServiceAccountName" -}}
{{- printf "%s-api" (include "actor-operator.fullname" .) -}}
{{- end -}}
