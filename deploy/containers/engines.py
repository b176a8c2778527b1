"""`python -m deploy.containers.engines`: what each engine of each service is doing, as one of its replicas says."""

from __future__ import annotations

from deploy.installation import SERVICES, Addresses, get, wanted
from deploy.ready import describe


def main() -> None:
    addresses = Addresses.of(wanted())
    for service in SERVICES:
        _, body = get(addresses.local, addresses.port, f"/status/{service}")
        engines = body.get("engines") if isinstance(body, dict) else None
        for engine in engines or []:
            print(f"  {service}  {engine['name']:<10} {describe(engine)}")
        if not engines:
            print(f"  {service}  does not answer")


if __name__ == "__main__":
    main()
