"""What a model file may say of retraining: when it may be asked for, who must agree, and where it runs."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from models.part import Name, SpecPart


class Webhook(SpecPart):
    """An address that a retraining request is posted to, signed as Standard Webhooks has it."""

    url: Annotated[str, Field(pattern=r"^https?://[^\s]+$", description="The secret is WATCHKEEPER_WEBHOOK_SECRET.")]


class Vertex(SpecPart):
    """A Vertex AI pipeline that a retraining request starts as a pipeline job."""

    project: Name
    location: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+[0-9]+$")]
    template: Annotated[str, Field(pattern=r"^https://[^\s]+$", description="Pipeline template in Artifact Registry.")]
    output: Annotated[str, Field(pattern=r"^gs://[^\s]+$", description="Folder for what the pipeline writes.")]
    service_account: Name | None = None


class Kubeflow(SpecPart):
    """A Kubeflow pipeline that a retraining request starts as a run."""

    host: Annotated[str, Field(pattern=r"^https?://[^\s]+$", description="The token is WATCHKEEPER_KUBEFLOW_TOKEN.")]
    pipeline: Annotated[Name, Field(description="Id of the pipeline.")]
    version: Annotated[Name, Field(description="Id of the pipeline's version.")]
    experiment: Name = "watchkeeper"
    namespace: Name | None = None


class Target(SpecPart):
    """Where a request is answered; empty: by this repository's retraining DAG, or any DAG on the model's asset."""

    webhook: Webhook | None = None
    vertex: Vertex | None = None
    kubeflow: Kubeflow | None = None

    @model_validator(mode="after")
    def _one(self) -> Target:
        named = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(named) > 1:
            raise ValueError(f"names {' and '.join(named)}; accepted is one of them, or none for Airflow")
        return self


class Retraining(SpecPart):
    """When a retraining may be asked for, who must agree, and where it runs."""

    approval: Literal["required", "none"] = "required"
    approval_hours: Annotated[int, Field(ge=1, le=30 * 24)] = Field(
        72, description="Without an answer for so long, nothing is retrained."
    )
    cooldown_days: Annotated[int, Field(ge=0)] = 14
    min_mature_frauds: Annotated[int, Field(ge=1)] = 200
    shadow_days: Annotated[int, Field(ge=0, le=60)] = Field(
        0, description="New days on which a better challenger must prove better again before it is promoted."
    )
    exclude: list[date] = Field(default_factory=list, description="Days that nothing is to be learnt from.")
    accept: list[date] = Field(
        default_factory=list, description="Days that look like an attack or a flood of labels, and were found sound."
    )
    target: Target = Target()

    @field_validator("shadow_days")
    @classmethod
    def _enough_days(cls, shadow_days: int) -> int:
        if 0 < shadow_days < 7:
            raise ValueError(f"{shadow_days} days are too few to judge by; accepted are 0 (no shadow) and 7 to 60")
        return shadow_days
