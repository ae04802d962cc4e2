"""What the addresses of gateways share: the desk at which gateways are let in."""

from http import HTTPStatus

from api.enrolment.office import Enrolment
from api.house import House
from api.problems import RefusedError


def enrolment_of(house: House) -> Enrolment:
    """Return the desk of a house.

    Raises:
        RefusedError: There is no authority here; it says how one is made.
    """
    if house.enrolment is None:
        raise RefusedError(
            HTTPStatus.NOT_FOUND,
            "no gateways are let in here: make an authority with 'kwartier ca init' and name it "
            "in [gateways]",
        )
    return house.enrolment
