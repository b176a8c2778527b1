"""`python -m deploy.containers.engines`: what each engine of each service is doing, as one of its replicas says."""

from __future__ import annotations

from deploy.installation import SERVICES, Addresses, first_key, get, wanted
from deploy.phrases import phrase, state_name
from deploy.ready import describe


def main() -> None:
    settings = wanted()
    addresses, key = Addresses.of(settings), first_key(settings)
    for service in SERVICES:
        _, body = get(addresses.local, addresses.port, f"/status/{service}", key=key)
        engines = body.get("engines") if isinstance(body, dict) else None
        for engine in engines or []:
            print(f"  {service}  {engine['name']:<10} {describe(engine, state_name)}")
        if not engines:
            print(f"  {service}  {phrase('no_answer')}")


if __name__ == "__main__":
    main()
