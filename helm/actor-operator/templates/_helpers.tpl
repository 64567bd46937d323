{{/* Name of every object: the release's name, with "actor-operator" in it. */}}
{{- define "actor-operator.fullname" -}}
{{- if contains "actor-operator" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-actor-operator" (.Release.Name | trunc 25 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* What identifies the operator's pods; never changes during the life of a release. */}}
{{- define "actor-operator.selectorLabels" -}}
app.kubernetes.io/name: actor-operator
app.kubernetes.io/instance: {{ .Release.Name }}
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
