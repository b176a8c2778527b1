"""What a service knows of an upstream, so that no operator need look it up."""

from collections.abc import Mapping

from msgspec import Struct, field


class Provider(Struct, frozen=True):
    """An upstream that is known, so that no operator need look it up.

    Args:
        base_url: Address up to, without, the path of the one thing it is asked; None: only the operator knows.
        model: Model that is asked for unless the operator says otherwise; None: the one that the caller names.
        needs_key: It answers nobody without a key.
        needs_model: Only the operator can know its model's name.
        also: Other names under which its key is often kept: `DASHSCOPE` → `DASHSCOPE_API_KEY`.
        hint: Sentence for an operator who must set `base_url`.
        preferred: Models to ask for, the best first, where a key does not have `model`.
        headers: Headers that show the key, as `…_HEADERS` takes them; empty: `Authorization: Bearer`.
        folotoy: Start of the names that FoloToy has for its variables: `OPENAI_TTS_`.
        folotoy_names: Variables of FoloToy's whose names are otherwise, by the field of `FoloToyOptions`.
        folotoy_base: Address that is made of variables of FoloToy's: `https://{AWS_BEDROCK_REGION_NAME}.…`.
        retired: Variables of FoloToy's that the vendor takes no more, each with what to do instead.
        api_version: Version to ask a deployment of Azure for, where none is set.
    """

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
    folotoy_base: str = ""
    retired: Mapping[str, str] = field(default_factory=dict)
    api_version: str = ""
