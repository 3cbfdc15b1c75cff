#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The lab: a real nginx in front of upstreams that are broken in every way tlsfail knows."""
