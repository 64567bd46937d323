{{/* "true" where the API keeps nothing in its pod: with a database and a bucket. */}}
{{- define "actor-operator.apiIsStateless" -}}
{{- if and .Values.api.database.existingSecret.name (eq .Values.settings.api.storage.objects "s3") -}}
true
{{- end -}}
{{- end -}}

{{/* Refuses values of the API that cannot work together. */}}
{{- define "actor-operator.checkApi" -}}
{{- $api := .Values.api -}}
{{- if and (gt (int $api.replicas) 1) (not (include "actor-operator.apiIsStateless" .)) -}}
{{- fail "api.replicas can be more than 1 only with a PostgreSQL database (api.database.existingSecret.name) and a bucket (settings.api.storage.objects=s3): two servers cannot share SQLite or a folder" -}}
{{- end -}}
{{- if and (eq .Values.settings.api.storage.objects "s3") (not .Values.settings.api.storage.bucket.name) -}}
{{- fail "settings.api.storage.bucket.name must name the bucket when settings.api.storage.objects is s3" -}}
{{- end -}}
{{- with $api.storage.persistence -}}
{{- if and .existingClaim .hostPath -}}
{{- fail "api.storage.persistence.existingClaim and .hostPath exclude each other: name one" -}}
{{- end -}}
{{- end -}}
{{- if regexMatch "/v2$" .Values.settings.api.publicUrl -}}
{{- fail "settings.api.publicUrl must not end in /v2: that is added to it" -}}
{{- end -}}
{{- if $api.ingress.enabled -}}
{{- $host := required "api.ingress.host must name the host of the API when api.ingress.enabled is true" $api.ingress.host -}}
{{- $domain := .Values.settings.webServer.domain -}}
{{- if and (include "actor-operator.hasUrls" .) (hasSuffix (printf ".%s" $domain) (printf ".%s" $host)) -}}
{{- fail (printf "api.ingress.host must not be %s (settings.webServer.domain) or below it: hosts there belong to runs" $domain) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Address of a Service of the chart, without a port where that is the scheme's own. */}}
{{- define "actor-operator.serviceUrl" -}}
{{- $port := int .root.Values.api.service.port -}}
{{- printf "http://%s-%s.%s.svc" (include "actor-operator.fullname" .root) .name .root.Release.Namespace -}}
{{- if ne $port 80 -}}
{{- printf ":%d" $port -}}
{{- end -}}
{{- end -}}

{{/* Address of the API for the world: as it is set, else that of the Ingress. */}}
{{- define "actor-operator.publicUrl" -}}
{{- if .Values.settings.api.publicUrl -}}
{{- .Values.settings.api.publicUrl -}}
{{- else if .Values.api.ingress.enabled -}}
{{- printf "%s://%s" (ternary "https" "http" .Values.api.ingress.tls.enabled) .Values.api.ingress.host -}}
{{- end -}}
{{- end -}}

{{/* The settings: those of the values, and what the chart knows of the API server. */}}
{{- define "actor-operator.settings" -}}
{{- $known := dict "enabled" .Values.api.enabled -}}
{{- if .Values.api.enabled -}}
{{- include "actor-operator.checkApi" . -}}
{{- $_ := set $known "internalUrl" (include "actor-operator.serviceUrl" (dict "root" . "name" "api")) -}}
{{- $_ := set $known "eventsUrl" (include "actor-operator.serviceUrl" (dict "root" . "name" "events")) -}}
{{- $_ := set $known "publicUrl" (include "actor-operator.publicUrl" .) -}}
{{- with .Values.api.database.existingSecret -}}
{{- if .name -}}
{{- $_ := set $known "storage" (dict "databaseUrlFile" (printf "/etc/actor-operator-database/%s" .key)) -}}
{{- end -}}
{{- end -}}
{{- with .Values.api.kubeletCA -}}
{{- if .configMap -}}
{{- $_ := set $known "kubeletCaFile" (printf "/etc/actor-operator-kubelet-ca/%s" .key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml (mergeOverwrite (deepCopy .Values.settings) (dict "namespace" .Release.Namespace "api" $known)) -}}
{{- end -}}

{{/* Name of the service account of the events. */}}
{{- define "actor-operator.eventsServiceAccountName" -}}
{{- printf "%s-events" (include "actor-operator.fullname" .) -}}
{{- end -}}

{{/* What the API may do in namespaces with runs: what its code calls, which a test compares. */}}
{{- define "actor-operator.apiRules" -}}
# Its specification and annotations; the status is the operator's.
- apiGroups: [actor-operator.dev]
  resources: [actorruns]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [actor-operator.dev]
  resources: [actors]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
{{- end -}}

{{/* What the events may do in namespaces with runs. */}}
{{- define "actor-operator.eventsRules" -}}
- apiGroups: [actor-operator.dev]
  resources: [actorruns]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
{{- end -}}

{{/* Name of the volume's claim: ours, or the one that exists. */}}
{{- define "actor-operator.claimName" -}}
{{- .Values.api.storage.persistence.existingClaim | default (printf "%s-api" (include "actor-operator.fullname" .)) -}}
{{- end -}}
