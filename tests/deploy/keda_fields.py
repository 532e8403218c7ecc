"""The fields of KEDA's ScaledObject and of its trigger metrics-api, as KEDA publishes them.

Sources: https://keda.sh/docs/2.18/reference/scaledobject-spec/ and https://keda.sh/docs/2.17/scalers/metrics-api/.
"""

from typing import Any

WHOLE = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}
NUMBER = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"}
FLAG = {"enum": ["true", "false"]}


def only(required: list[str], **fields: Any) -> dict[str, Any]:
    """An object that has these fields and no other."""
    return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}


# Of HorizontalPodAutoscaler in autoscaling/v2, which KEDA hands on as they are.
_RULES = only(
    [],
    stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600},
    selectPolicy={"enum": ["Max", "Min", "Disabled"]},
    policies={
        "type": "array",
        "items": only(
            ["type", "value", "periodSeconds"],
            type={"enum": ["Pods", "Percent"]},
            value={"type": "integer", "minimum": 1},
            periodSeconds={"type": "integer", "minimum": 1, "maximum": 1800},
        ),
    },
)

METRICS_API = only(
    ["url", "valueLocation", "targetValue"],
    url=TEXT,
    format={"enum": ["json", "xml", "yaml", "prometheus"]},
    valueLocation=TEXT,
    targetValue=NUMBER,
    activationTargetValue=NUMBER,
    unsafeSsl=FLAG,
    aggregateFromKubeServiceEndpoints=FLAG,
    aggregationType={"enum": ["average", "sum", "max", "min"]},
    authMode=TEXT,
    method={"enum": ["header", "query"]},
    keyParamName=TEXT,
)

SCALED_OBJECT = only(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "keda.sh/v1alpha1"},
    kind={"const": "ScaledObject"},
    metadata={"type": "object", "required": ["name", "namespace"]},
    spec=only(
        ["scaleTargetRef", "triggers"],
        scaleTargetRef=only(
            ["name"], apiVersion=TEXT, kind=TEXT, name=TEXT, envSourceContainerName=TEXT
        ),
        pollingInterval=WHOLE,
        cooldownPeriod=WHOLE,
        initialCooldownPeriod=WHOLE,
        idleReplicaCount={"const": 0},
        minReplicaCount=WHOLE,
        maxReplicaCount=WHOLE,
        fallback=only(["failureThreshold", "replicas"], failureThreshold=WHOLE, replicas=WHOLE, behavior=TEXT),
        advanced=only(
            [],
            restoreToOriginalReplicaCount={"type": "boolean"},
            horizontalPodAutoscalerConfig=only([], name=TEXT, behavior=only([], scaleUp=_RULES, scaleDown=_RULES)),
            scalingModifiers={"type": "object"},
        ),
        triggers={
            "type": "array",
            "minItems": 1,
            "items": only(
                ["type", "metadata"],
                type={"const": "metrics-api"},  # the one that is used
                name=TEXT,
                metadata=METRICS_API,
                useCachedMetrics={"type": "boolean"},
                metricType={"enum": ["AverageValue", "Value"]},
                authenticationRef={"type": "object"},
            ),
        },
    ),
)  # fmt: skip
