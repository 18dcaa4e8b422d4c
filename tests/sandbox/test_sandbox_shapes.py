"""Every object we answer has the published field names: none missing, none of our own."""

import pytest
import stripe
from tests.sandbox.worlds import World
from tests.support.sandbox import browse

from bursar_sandbox.core.wire import Request

# The top-level names of each object as Stripe publishes them.
BEARER = {"Authorization": "Bearer sk_test_sandbox"}
PUBLISHED = {
    "balance_transaction": (
        "amount available_on balance_type created currency description exchange_rate fee "
        "fee_details id net object reporting_category source status type "
    ),
    "charge": (
        "amount amount_captured amount_refunded application application_fee "
        "application_fee_amount balance_transaction billing_details "
        "calculated_statement_descriptor captured created currency customer description "
        "disputed failure_balance_transaction failure_code failure_message fraud_details id "
        "livemode metadata object on_behalf_of outcome paid payment_intent payment_method "
        "payment_method_details receipt_email receipt_number receipt_url refunded refunds "
        "review shipping source source_transfer statement_descriptor "
        "statement_descriptor_suffix status transfer_data transfer_group "
    ),
    "checkout.session": (
        "adaptive_pricing after_expiration allow_promotion_codes amount_subtotal amount_total "
        "automatic_tax billing_address_collection cancel_url client_reference_id "
        "client_secret collected_information consent consent_collection created currency "
        "currency_conversion custom_fields custom_text customer customer_account "
        "customer_creation customer_details customer_email discounts expires_at id "
        "integration_identifier invoice invoice_creation livemode locale managed_payments "
        "metadata mode object origin_context payment_intent payment_link "
        "payment_method_collection payment_method_configuration_details "
        "payment_method_options payment_method_types payment_status permissions "
        "phone_number_collection recovered_from saved_payment_method_options setup_intent "
        "shipping_address_collection shipping_cost shipping_options status submit_type "
        "subscription success_url total_details ui_mode url wallet_options "
    ),
    "customer": (
        "address balance created currency default_source delinquent description discount "
        "email id invoice_prefix invoice_settings livemode metadata name "
        "next_invoice_sequence object phone preferred_locales shipping tax_exempt test_clock "
    ),
    "dispute": (
        "amount balance_transactions charge created currency enhanced_eligibility_types "
        "evidence evidence_details id is_charge_refundable livemode metadata object "
        "payment_intent payment_method_details reason status "
    ),
    "event": ("api_version created data id livemode object pending_webhooks request type "),
    "payment_intent": (
        "amount amount_capturable amount_details amount_received application "
        "application_fee_amount automatic_payment_methods canceled_at cancellation_reason "
        "capture_method client_secret confirmation_method created currency customer "
        "customer_account description excluded_payment_method_types id last_payment_error "
        "latest_charge livemode managed_payments metadata next_action object on_behalf_of "
        "payment_method payment_method_configuration_details payment_method_options "
        "payment_method_types processing receipt_email review setup_future_usage shipping "
        "source statement_descriptor statement_descriptor_suffix status transfer_data "
        "transfer_group "
    ),
    "payment_method": (
        "allow_redisplay billing_details card created customer customer_account id livemode "
        "metadata object type "
    ),
    "payout": (
        "amount application_fee application_fee_amount arrival_date automatic "
        "balance_transaction created currency description destination "
        "failure_balance_transaction failure_code failure_message id livemode metadata method "
        "object original_payout payout_method reconciliation_status reversed_by source_type "
        "statement_descriptor status trace_id type "
    ),
    "refund": (
        "amount balance_transaction charge created currency customer customer_account "
        "destination_details id metadata object payment_intent payment_method reason "
        "receipt_number source_transfer_reversal status transfer_reversal "
    ),
    "setup_intent": (
        "application automatic_payment_methods cancellation_reason client_secret created "
        "customer description excluded_payment_method_types flow_directions id "
        "last_setup_error latest_attempt livemode mandate metadata next_action object "
        "on_behalf_of payment_method payment_method_configuration_details "
        "payment_method_options payment_method_types single_use_mandate status usage "
    ),
    "webhook_endpoint": (
        "api_version application created description enabled_events id livemode metadata "
        "object status url "
    ),
}
# Only present when asked for, or when a secret is shown for the one time.
ON_REQUEST = {"charge": {"refunds"}, "webhook_endpoint": {"secret"}, "payment_method": {"card"}}
# Present on some rows only, as at Stripe: a failed refund's reason, the type of a method.
ON_OCCASION = {"failure_reason", "failure_balance_transaction", "us_bank_account"}


@pytest.mark.parametrize("kind", sorted(PUBLISHED))
async def test_an_object_has_the_published_names(kind: str) -> None:
    # The key set of what we answer is the published one, so any reader of Stripe's reads ours.
    world = await _busy_world()
    published = set(PUBLISHED[kind].split())
    for row in world.sandbox.books.all(kind):
        ours = {name for name in row if not name.startswith("_")}
        assert published - ours <= ON_REQUEST.get(kind, set())
        assert ours - published <= ON_OCCASION


async def test_no_note_of_our_own_is_ever_shown() -> None:
    # Names that start with an underscore are private notes, at any depth of an answer.
    world = await _busy_world()
    paths = (
        "/v1/customers",
        "/v1/payment_intents?expand[]=data.latest_charge&expand[]=data.payment_method",
        "/v1/charges?expand[]=data.refunds&expand[]=data.balance_transaction",
        "/v1/checkout/sessions?expand[]=data.line_items&expand[]=data.payment_intent",
        "/v1/disputes",
        "/v1/refunds",
        "/v1/setup_intents",
        "/v1/events?limit=100",
        "/v1/webhook_endpoints",
    )
    for path in paths:
        answer = world.sandbox.handle(Request("GET", path, BEARER))
        assert answer.status == 200, answer.body
        assert b'"_' not in answer.body, path


async def _busy_world() -> World:
    world = World()
    await world.customer("pm_card_visa")
    await world.pay("pm_card_createDispute")
    await world.pay("pm_usBankAccount_success", amount=90_000)
    paid = await world.pay("pm_card_refundFail")
    await world.v1.refunds.create_async({"payment_intent": paid.id})
    with pytest.raises(stripe.CardError):
        await world.pay("pm_card_visa_chargeDeclined")
    session = await world.open_checkout()
    card = {"number": "4242424242424242", "expiry": "12/34", "cvc": "123"}
    browse(world.sandbox, "POST", session.url, **card)
    await world.v1.setup_intents.create_async({"payment_method": "pm_card_visa", "confirm": True})
    world.advance(5 * 86_400)
    return world
