# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Changes environments, its own and others, and what lies beside them"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import os
import sys

import attack

store, own = os.environ["STORE"], sys.prefix
places = [own, f"{own}/bin", f"{own}/pyvenv.cfg", os.environ["OTHER_TREE"], store]
places += [f"{store}/cache", f"{store}/fixproof.db"]
for folder, _, files in os.walk(f"{own}/lib"):
    places += [folder, *(os.path.join(folder, each) for each in files)]
for place in places:
    attack.must_fail(f"chmod {place}", os.chmod, place, 0o777)
    attack.must_fail(f"utime {place}", os.utime, place, (1, 1))
    if os.path.isdir(place):
        attack.must_fail(f"new file in {place}", attack.write_into, f"{place}/new")
        attack.must_fail(f"new folder in {place}", os.mkdir, f"{place}/new")
    else:
        attack.must_fail(f"write {place}", attack.write_into, place)
        attack.must_fail(f"truncate {place}", os.truncate, place, 0)
        attack.must_fail(f"unlink {place}", os.unlink, place)
    attack.must_fail(f"rename {place}", os.rename, place, f"{place}.old")
