"""The kinds for which CRDs are made."""

from actor_operator.api.base import CustomResource
from actor_operator.api.v1alpha1.actor import Actor
from actor_operator.api.v1alpha1.actor_account import ActorAccount
from actor_operator.api.v1alpha1.actor_run import ActorRun
from actor_operator.api.v1alpha1.actor_token import ActorToken

KINDS: tuple[type[CustomResource], ...] = (Actor, ActorRun, ActorAccount, ActorToken)
"""Every kind of ours, in the order of the documentation."""
