"""Facts about known upstreams, such as their addresses, so that no operator need look them up."""

from collections.abc import Mapping
from typing import ClassVar

from msgspec import Struct, field


class Provider(Struct, frozen=True):
    """An upstream that is known, so that no operator need look it up.

    Args:
        base_url: The upstream's address without the path of a question; None where only the operator knows it.
        model: The model that is asked for where the operator names none; None stands for the one that the caller names.
        needs_key: Tells whether the upstream answers nobody without a key.
        needs_model: Tells whether only the operator can know the model's name.
        also: Other names under which the key is often kept, such as `DASHSCOPE` for `DASHSCOPE_API_KEY`.
        hint: A sentence for an operator who must set `base_url`.
        preferred: The models to ask for, the best first, where a key does not have `model`.
        headers: The headers that show the key; where there are none, `Authorization: Bearer` shows it.
        folotoy: The start of the names that FoloToy has for the upstream's variables, such as `OPENAI_TTS_`.
        folotoy_names: FoloToy's variables whose names are otherwise, by the field of `FoloToyOptions`.
        folotoy_extra: FoloToy's variables of fields that no other upstream has, by the name of the field.
        folotoy_base: An address made of FoloToy's variables, such as `https://{AWS_BEDROCK_REGION_NAME}.…`.
        folotoy_pair: FoloToy's variables of two keys that are sent as one, with a colon between them.
        retired: FoloToy's variables that the vendor takes no more, each with what to do instead.
        api_version: The version of Azure's API that is asked for where the operator names none.
    """

    folotoy_fields: ClassVar[tuple[str, ...]] = ("api_base", "key", "model")
    """Ends of the variables whose names begin with `folotoy`, in small letters."""
    base_url: str | None
    model: str | None = None
    needs_key: bool = True
    needs_model: bool = False
    also: tuple[str, ...] = ()
    hint: str = ""
    preferred: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    folotoy: str = ""
    folotoy_names: Mapping[str, str] = field(default_factory=dict)
    folotoy_extra: Mapping[str, str] = field(default_factory=dict)
    folotoy_base: str = ""
    folotoy_pair: tuple[str, ...] = ()
    retired: Mapping[str, str] = field(default_factory=dict)
    api_version: str = ""
