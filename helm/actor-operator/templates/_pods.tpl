{{/* What every pod of the chart says of itself, whatever it runs. */}}
{{- define "actor-operator.podCommon" -}}
automountServiceAccountToken: true
# Names like ACTOR_OPERATOR_METRICS_PORT of a Service would look like settings.
enableServiceLinks: false
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Who a pod of the chart runs as. */}}
{{- define "actor-operator.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* What a container of the chart may do. */}}
{{- define "actor-operator.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Labels of every pod of the chart, beside those that select it. */}}
{{- define "actor-operator.podLabels" -}}
app.kubernetes.io/part-of: actor-operator
{{- with .Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Annotations of every pod of the chart. */}}
{{- define "actor-operator.podAnnotations" -}}
# New settings are new pods.
checksum/settings: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
Name and instance of the pods of the API server, of both its parts. Not those of the operator's
pods, which its Deployment selects. Runs may reach pods with this name in this namespace.
*/}}
{{- define "actor-operator.serverLabels" -}}
app.kubernetes.io/name: actor-operator-server
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* What identifies the pods of the API; never changes during the life of a release. */}}
{{- define "actor-operator.apiSelectorLabels" -}}
{{ include "actor-operator.serverLabels" . }}
app.kubernetes.io/component: api
{{- end -}}

{{/* What identifies the pods of the events; never changes during the life of a release. */}}
{{- define "actor-operator.eventsSelectorLabels" -}}
{{ include "actor-operator.serverLabels" . }}
app.kubernetes.io/component: events
{{- end -}}

{{/* Ports and probes of a container of the API server. */}}
{{- define "actor-operator.serverPorts" -}}
ports:
  - name: http
    containerPort: {{ .Values.settings.api.port }}
  - name: metrics
    containerPort: {{ .Values.settings.api.metricsPort }}
# Ten minutes for the first lists of a large cluster and the migrations of a large database.
startupProbe:
  httpGet:
    path: /healthz
    port: metrics
  periodSeconds: 1
  timeoutSeconds: 5
  failureThreshold: 600
livenessProbe:
  httpGet:
    path: /healthz
    port: metrics
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet:
    path: /readyz
    port: metrics
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}

{{/* For pods beside which there are others: requests come until every node knows that one goes. */}}
{{- define "actor-operator.lifecycle" -}}
lifecycle:
  preStop:
    sleep:
      seconds: 5
{{- end -}}

{{/* The folders that both parts of the API server read. */}}
{{- define "actor-operator.serverMounts" -}}
- name: settings
  mountPath: /etc/actor-operator
  readOnly: true
- name: keys
  mountPath: {{ .Values.settings.api.keysFolder | quote }}
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- end -}}

{{/* The volumes of those folders. */}}
{{- define "actor-operator.serverVolumes" -}}
- name: settings
  configMap:
    name: {{ include "actor-operator.fullname" . }}
# The leader of the operator makes it: the pod waits until it is there.
- name: keys
  secret:
    secretName: actor-operator-keys
    defaultMode: 0440
- name: tmp
  emptyDir: {}
{{- end -}}
