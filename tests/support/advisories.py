"""Advisories of projects like this one, and the tests that would find the same fault here."""

TESTS: dict[str, tuple[str, ...]] = {
    "CVE-2026-31892: a field overrides the approved template": (
        (
            "tests/unit/desired/test_user_fields.py::"
            "test_a_field_of_a_run_reaches_only_its_listed_places"
        ),
        "tests/cluster/test_forbidden_pod_fields.py::test_the_policy_alone_refuses_the_operator",
    ),
    "CVE-2026-40886: one malformed object stops the controller": (
        (
            "tests/unit/engine/test_informer.py::"
            "test_an_unreadable_object_in_a_list_hides_no_other_and_is_no_deletion"
        ),
        "tests/unit/desired/test_resolve.py::test_an_annotation_that_someone_has_spoilt_is_none",
    ),
    "CVE-2026-33022: a long name stops the controller": (
        "tests/unit/desired/test_names.py::test_pod_names_are_valid_labels_for_every_name_of_a_run",
    ),
    "CVE-2026-28229: any text counts as a token": (
        "tests/integration/api/test_who_may_what.py::test_everybody_may_what_the_table_says",
    ),
    "CVE-2026-42297: an operation forgot to ask for permission": (
        (
            "tests/unit/server/test_routing.py::"
            "test_a_route_that_does_not_say_what_it_needs_cannot_be_made"
        ),
    ),
    "CVE-2026-93991: a selector shows others' objects": (
        (
            "tests/integration/api/test_key_value_stores.py::"
            "test_nobody_reads_the_records_of_another_account"
        ),
        "tests/integration/api/test_log_segments.py::test_other_accounts_see_nothing",
    ),
    "CVE-2023-48022: an operation asks for no token": (
        (
            "tests/integration/api/test_who_may_what.py::"
            "test_every_route_is_in_the_table_and_the_table_has_no_other"
        ),
    ),
    "CVE-2026-42294: a body is read before anybody is known": (
        "tests/unit/server/test_bodies.py::test_a_body_that_is_too_long_is_refused_before_it_is_read",
        "tests/integration/api/test_edge.py::test_a_body_that_is_too_large_is_refused_on_the_wire",
    ),
    "CVE-2026-40161: a token of the platform is sent to another server": (
        "tests/integration/kube/test_node_stats.py::test_a_certificate_of_another_ca_gets_no_token",
        "tests/integration/cli/test_api_client.py::test_the_token_follows_no_redirect",
    ),
    "GHSA-j5q5-j9gm-2w5c: a path leads to other files": (
        "tests/integration/api/test_objects.py::test_a_folder_takes_no_key_that_leads_elsewhere",
    ),
    "CVE-2026-42295: credentials in logs": (
        "tests/integration/api/test_edge.py::test_no_token_is_ever_logged",
        (
            "tests/unit/services/test_log_text.py::"
            "test_run_tokens_api_tokens_and_paths_of_sockets_are_masked"
        ),
    ),
    "CVE-2020-15110: names of two users collide": (
        (
            "tests/unit/desired/test_names.py::"
            "test_two_pods_have_one_name_only_when_run_and_number_are_the_same"
        ),
    ),
    "CVE-2025-10725: a role of users is too wide": (
        "tests/chart/test_rbac.py::test_the_clusters_own_roles_get_exactly",
        (
            "tests/chart/test_rbac.py::"
            "test_every_role_of_the_operator_is_bound_to_its_service_account_alone"
        ),
    ),
    "Spark operator 1947, 2070: the operator's rights take over the cluster": (
        "tests/chart/test_rbac.py::test_the_operator_can_take_over_nothing",
        "tests/chart/test_rbac.py::test_the_operator_may_do_nothing_that_its_code_does_not_call",
    ),
    "CVE-2026-10533: events fill the cluster's store": (
        (
            "tests/unit/reconcile/test_event_writer.py::"
            "test_a_burst_is_written_at_the_pace_that_is_left_for_events"
        ),
    ),
    "CVE-2024-7598: a policy goes before the pods": (
        (
            "tests/integration/operator/test_network.py::"
            "test_the_policy_stays_when_its_runs_have_ended"
        ),
    ),
    "CVE-2026-24512: an annotation is built from a user's text": (
        (
            "tests/unit/desired/test_user_fields.py::"
            "test_a_label_or_annotation_of_a_run_stays_with_the_run"
        ),
    ),
    "CVE-2023-37264: a child counts by its name": (
        (
            "tests/unit/reconcile/test_orphans.py::"
            "test_the_pod_of_a_run_whose_name_has_another_run_now_is_removed"
        ),
    ),
}
"""Class of fault, and its tests."""

NOT_HERE: dict[str, str] = {
    "CVE-2026-40938: arguments injected into git": "nothing here runs git or a shell",
    "CVE-2025-66626: links in archives": "no archive of a user is unpacked",
    "CVE-2026-40864: a browser's headers instead of a token": "no cookie is an identity",
    "CVE-2025-59360: commands injected into a shell": "nothing here runs a shell",
}
"""Classes that cannot be here yet, and why."""

MISSING: dict[str, str] = {
    "CVE-2024-53862: an archive skips the check": "expired storages: not looked at",
    "CVE-2026-40924: an answer without an end": "limits of what is read: not looked at",
    "CVE-2023-48713: a pod's answer without an end": "answers of kubelets: limit not looked at",
    "CVE-2022-29164: a record runs as who looks at it": "headers are set; no test is named",
    "GHSA-6c73-2v8x-qpvm: a key in the image": "images are not searched for keys",
    "CVE-2023-48311: an empty list allows all": "lists of the settings not looked at",
}
"""Classes for which no test is named yet, and what is known."""
