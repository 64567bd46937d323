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
