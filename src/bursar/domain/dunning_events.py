"""What is told of invoices in dunning."""

from bursar.domain.events import Event


class DunningStarted(Event, frozen=True):
    name = "dunning.started"
    when = "An automatic payment of an invoice failed for the first time."


class DunningRetryScheduled(Event, frozen=True):
    name = "dunning.retry_scheduled"
    when = "Another try is planned, for the instant that `nextRetryAt` names."


class DunningNotified(Event, frozen=True):
    name = "dunning.notified"
    when = "The customer is asked for another way to pay."


class DunningEscalated(Event, frozen=True):
    name = "dunning.escalated"
    when = "Dunning moves on to what `currentAction` names: no try of the plan is left before it."


class DunningPaused(Event, frozen=True):
    name = "dunning.paused"
    when = "Somebody pauses the dunning of an invoice."


class DunningResumed(Event, frozen=True):
    name = "dunning.resumed"
    when = "The dunning of an invoice goes on."


class DunningResolved(Event, frozen=True):
    name = "dunning.resolved"
    when = "Dunning is over: the invoice is paid, or as `resolution` says."


class DunningUpdated(Event, frozen=True):
    name = "dunning.updated"
    is_public = False
    when = "A try came to nothing for technical reasons; it is made again and is no step."
