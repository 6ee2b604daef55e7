"""Packaging of prosody-py; see CONTRIBUTING.md for development."""

import re
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
version = re.search(r'__version__ = "([^"]+)"', (here / "prosody_py/__init__.py").read_text())[1]

# The modules live beside the package in a checkout and inside it when installed.
BUNDLED = {"prosody_py.bundled.modules": "modules",
           "prosody_py.bundled.plugins_lua": "plugins_lua"}

setup(
    name="prosody-py",
    version=version,
    description="An XMPP server in Python whose module API is Prosody's, for Lua and Python",
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=[*find_packages(include=["prosody_py", "prosody_py.*"]), *BUNDLED],
    package_dir=BUNDLED,
    package_data={
        "prosody_py": ["lua/**/*.lua", "app/**/*.lua", "app/**/*.yaml"],
        **{package: ["**/*"] for package in BUNDLED},
    },
    install_requires=[
        "gevent>=24.10",
        "lupa>=2.4",
        "PyYAML>=6",
        "cryptography>=44",
        "pyOpenSSL>=25",
        "idna>=3.7",
        "h11>=0.14",
        "dnspython>=2.6",
    ],
    extras_require={
        # For lualdap. ldap3 2.9 uses names that pyasn1 has marked as going.
        "ldap": ["ldap3>=2.9", "pyasn1<0.7"],
        "bcrypt": ["bcrypt>=4"],  # for the Lua library of that name
        "test": ["pytest>=8", "pytest-xdist>=3.6", "hypothesis>=6.100", "slixmpp>=1.8", "ruff>=0.6",
                 "bcrypt>=4", "ldap3>=2.9", "pyasn1<0.7", "setuptools>=65", "wheel"],
    },
    entry_points={
        "console_scripts": ["prosody-py = prosody_py.app.main:main"],
        # Named like the file, so that 'pytest -p prosody_py.testing.plugin' is the same plugin.
        "pytest11": ["prosody_py.testing.plugin = prosody_py.testing.plugin"],
    },
)
