"""What is told of invoices in dunning."""

from bursar.domain.events import Event


class DunningStarted(Event):
    name = "dunning.started"
    when = "An automatic payment of an invoice failed for the first time."


class DunningRetryScheduled(Event):
    name = "dunning.retry_scheduled"
    when = "Another try is planned, for the instant that `nextRetryAt` names."


class DunningNotified(Event):
    name = "dunning.notified"
    when = "The customer is asked for another way to pay."


class DunningEscalated(Event):
    name = "dunning.escalated"
    when = "Dunning moves on to what `currentAction` names: no try of the plan is left before it."


class DunningPaused(Event):
    name = "dunning.paused"
    when = "Somebody pauses the dunning of an invoice."


class DunningResumed(Event):
    name = "dunning.resumed"
    when = "The dunning of an invoice goes on."


class DunningResolved(Event):
    name = "dunning.resolved"
    when = "Dunning is over: the invoice is paid, or as `resolution` says."


class DunningUpdated(Event):
    name = "dunning.updated"
    is_public = False
    when = "A try came to nothing for technical reasons; it is made again and is no step."
