"""The ways of inverting a trajectory, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from latentdb.inverters.base import AbstractTrajectoryInverter
from latentdb.inverters.belm import BelmInverter
from latentdb.inverters.ddim import DdimInverter
from latentdb.inverters.deis import DeisInverter
from latentdb.inverters.fireflow import FireFlowInverter
from latentdb.inverters.fixed_point import FixedPointInverter
from latentdb.inverters.heun import HeunInverter
from latentdb.inverters.midpoint import MidpointInverter
from latentdb.inverters.options import InverterName

INVERTERS: Mapping[InverterName, type[AbstractTrajectoryInverter]] = MappingProxyType(
    {
        "fixed_point": FixedPointInverter,
        "ddim": DdimInverter,
        "belm": BelmInverter,
        "midpoint": MidpointInverter,
        "fireflow": FireFlowInverter,
        "heun": HeunInverter,
        "deis": DeisInverter,
    }
)
"""Class of each `inverter=` of a spec."""
