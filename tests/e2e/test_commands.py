"""Every command of the installed program, on a model that it trained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import brasa
from conftest import Run
