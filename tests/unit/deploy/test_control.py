import pytest
from deploy.installation import Addresses
from deploy.native.control import Trouble, is_taken


@pytest.mark.parametrize("bind", ["999.1.1.1", "192.0.2.77", "no such name"])
def test_an_address_that_is_not_this_machines_is_no_matter_of_ports(bind: str) -> None:
    with pytest.raises(Trouble, match=f"TALKBOX_BIND={bind} is no address of this machine"):
        is_taken(Addresses(port=9000, bind=bind), 9000)
