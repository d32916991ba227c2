"""The three models of the miniature bank: what their feature tables hold and how their labels arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from models.errors import WatchkeeperError, did_you_mean
from simulator.columns import Choice, Number, hour_of_day, zipf_choice


@dataclass(frozen=True)
class Recipe:
    """One model. `hidden_share` of its frauds look like legitimate cases in every feature: nobody can catch those."""

    model: str
    rows_a_day: int
    fraud_share: float
    hidden_share: float
    threshold: float
    block_at: float
    version: str
    id: str
    claim: str  # what the source of a late fraud label is called
    claim_median_days: float
    claim_spread: float  # standard deviation of the logarithm of the delay
    columns: Mapping[str, Number | Choice]


def _protected_columns(young: float, middle: float, old: float) -> dict[str, Number | Choice]:
    """Return the protected columns: not features, and independent of fraud and of every feature."""
    return {
        "age_band": Choice(("18-29", "30-59", "60+"), (young, middle, old)),
        "sex": Choice(("F", "M"), (0.5, 0.5), nulls=0.015),
    }


CARD_PAYMENTS = Recipe(
    model="card_payments",
    rows_a_day=20_000,
    fraud_share=0.0062,
    hidden_share=0.06,
    threshold=0.03,
    block_at=0.975,
    version="card-2025.11",
    id="payment_id",
    claim="chargeback",
    claim_median_days=11.5,
    claim_spread=0.55,
    columns=MappingProxyType(
        {
            "amount_gbp": Number(28, 1.1, lift=1.26, round_to=5, round_share=0.2, season=0.03, most=20_000),
            "avg_amount_90d_gbp": Number(34, 0.8, lift=-0.4, nulls=0.01),
            "payments_24h": Number(2.2, 0.8, lift=1.15, whole=True, season=0.02),
            "payments_7d": Number(9, 0.8, lift=0.34, whole=True, season=0.02),
            "declines_24h": Number(1.2, 0.6, lift=0.69, zeros=0.92, fraud_zeros=0.62, whole=True),
            "device_age_days": Number(240, 1.2, lift=-1.38, nulls=0.003, whole=True, most=3_650),
            "card_age_days": Number(520, 0.9, lift=-0.46, whole=True, most=3_650),
            "distance_from_home_km": Number(
                9, 1.6, lift=1.15, zeros=0.35, fraud_zeros=0.2, nulls=0.012, decimals=1, most=15_000
            ),
            "minutes_since_last": Number(600, 1.7, lift=-0.8, nulls=0.008, whole=True, most=129_600),
            "merchant_chargeback_share": Number(0.002, 0.9, lift=1.26, nulls=0.005, decimals=6, most=0.1),
            "hour": hour_of_day(2.0),
            "channel": Choice(
                ("contactless", "chip", "online", "in_app", "phone"),
                (0.4, 0.22, 0.26, 0.1, 0.02),
                (0.25, 0.3, 2.2, 1.2, 2.5),
            ),
            "country": Choice(
                ("GB", "IE", "FR", "ES", "US", "other"), (0.86, 0.03, 0.03, 0.03, 0.02, 0.03), (0.7, 1, 1.5, 1.5, 4, 4)
            ),
            "merchant": zipf_choice("M", 320, tilt=0.5, seed=11),
            "authenticated": Choice((False, True), (0.3, 0.7), (2.0, 0.55)),
            **_protected_columns(0.25, 0.52, 0.23),
        }
    ),
)

APP_SCAMS = Recipe(
    model="app_scams",
    rows_a_day=19_000,
    fraud_share=0.0062,
    hidden_share=0.06,
    threshold=0.03,
    block_at=0.95,
    version="scams-2025.10",
    id="payment_id",
    claim="claim",
    claim_median_days=3.9,
    claim_spread=0.74,
    columns=MappingProxyType(
        {
            "amount_gbp": Number(180, 1.2, lift=1.38, round_to=50, round_share=0.25, season=0.03, most=50_000),
            "balance_share": Number(0.07, 1.1, lift=1.26, nulls=0.004, decimals=5, most=1),
            "amount_to_median_ratio": Number(1.0, 0.9, lift=1.15, nulls=0.01, decimals=4),
            "beneficiary_age_days": Number(
                300, 1.3, lift=-1.15, zeros=0.08, fraud_zeros=0.4, nulls=0.003, whole=True, most=5_500
            ),
            "beneficiary_payments_90d": Number(2.5, 0.8, lift=-0.57, zeros=0.3, fraud_zeros=0.6, whole=True),
            "session_minutes": Number(4, 0.7, lift=1.03, nulls=0.015, decimals=2, most=60),
            "call_minutes": Number(6, 0.9, lift=0.69, zeros=0.97, fraud_zeros=0.78, decimals=1, most=120),
            "payments_24h": Number(1.8, 0.7, lift=0.8, whole=True, season=0.02),
            "logins_7d": Number(5, 0.7, lift=0.34, whole=True),
            "account_age_days": Number(1800, 0.8, lift=-0.46, nulls=0.002, whole=True, most=20_000),
            "hour": hour_of_day(1.2),
            "channel": Choice(("app", "web", "phone", "branch"), (0.68, 0.24, 0.05, 0.03), (0.9, 1.5, 0.8, 0.3)),
            "payment_reason": Choice(
                ("family", "bills", "goods", "rent", "savings", "investment"),
                (0.27, 0.23, 0.2, 0.13, 0.11, 0.06),
                (0.5, 0.7, 1.8, 0.7, 1.4, 2.2),
            ),
            "beneficiary_bank": zipf_choice("B", 240, tilt=0.5, seed=12),
            "screen_shared": Choice((False, True), (0.99, 0.01), (1.0, 10.0)),
            **_protected_columns(0.24, 0.54, 0.22),
        }
    ),
)

ACCOUNT_OPENING = Recipe(
    model="account_opening",
    rows_a_day=18_500,
    fraud_share=0.0062,
    hidden_share=0.06,
    threshold=0.035,
    block_at=0.97,
    version="opening-2025.09",
    id="application_id",
    claim="investigation",
    claim_median_days=7.7,
    claim_spread=0.59,
    columns=MappingProxyType(
        {
            "amount_gbp": Number(
                1500, 0.9, lift=1.03, zeros=0.25, fraud_zeros=0.15, round_to=100, round_share=0.6, most=25_000
            ),
            "income_gbp": Number(
                27_000, 0.55, lift=0.46, nulls=0.018, round_to=500, round_share=0.5, season=0.02, most=250_000
            ),
            "address_months": Number(40, 1.1, lift=-1.03, nulls=0.006, whole=True, most=720),
            "email_age_days": Number(1200, 1.2, lift=-1.38, nulls=0.012, whole=True, most=9_000),
            "phone_age_days": Number(700, 1.2, lift=-1.26, nulls=0.009, whole=True, most=9_000),
            "device_applications_30d": Number(0.8, 0.7, lift=1.26, whole=True),
            "address_applications_30d": Number(1.1, 0.7, lift=0.8, zeros=0.85, fraud_zeros=0.55, whole=True),
            "form_seconds": Number(240, 0.6, lift=-0.92, nulls=0.004, whole=True, most=3_600),
            "ip_distance_km": Number(
                14, 1.5, lift=1.03, zeros=0.2, fraud_zeros=0.1, nulls=0.01, decimals=1, most=15_000
            ),
            "enquiries_6m": Number(1.6, 0.8, lift=0.92, zeros=0.35, fraud_zeros=0.25, whole=True),
            "hour": hour_of_day(1.7),
            "channel": Choice(("app", "web", "branch", "partner"), (0.5, 0.3, 0.12, 0.08), (1.1, 1.4, 0.15, 1.2)),
            "employment": Choice(
                ("employed", "self_employed", "student", "retired", "unemployed", "other"),
                (0.58, 0.13, 0.12, 0.08, 0.05, 0.04),
                (0.8, 1.5, 1.0, 0.4, 1.8, 2.0),
            ),
            "email_domain": zipf_choice("D", 280, tilt=0.5, seed=13),
            "document_verified": Choice((False, True), (0.1, 0.9), (3.5, 0.75)),
            **_protected_columns(0.37, 0.49, 0.14),
        }
    ),
)

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {recipe.model: recipe for recipe in (CARD_PAYMENTS, APP_SCAMS, ACCOUNT_OPENING)}
)


def recipe_for(model: str) -> Recipe:
    """Return the recipe of a model; raise WatchkeeperError for a model the miniature bank hasn't got."""
    if model not in RECIPES:
        accepted = ", ".join(RECIPES)
        hint = did_you_mean(model, RECIPES)
        raise WatchkeeperError(f"The miniature bank has no model '{model}'; accepted: {accepted}{hint}")
    return RECIPES[model]
