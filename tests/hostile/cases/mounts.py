# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Mounts, unmounts, and changes its root"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# needs = "system_calls"
# ///
import attack

attack.must_be_denied("mount", 165, 40, 0, 0, 0, 0, 0)
attack.must_be_denied("umount", 166, 39, 0, 0)
attack.must_be_denied("pivot_root", 155, 41, 0, 0)
attack.must_be_denied("chroot", 161, 51, 0)
attack.must_be_denied("open_tree", 428, 428, -1, 0, 0x80000)
attack.must_be_denied("move_mount", 429, 429, -1, 0, -1, 0, 0)
attack.must_be_denied("fsopen", 430, 430, 0, 0)
attack.must_be_denied("fsconfig", 431, 431, -1, 0, 0, 0, 0)
attack.must_be_denied("fsmount", 432, 432, -1, 0, 0)
attack.must_be_denied("fspick", 433, 433, -1, 0, 0)
attack.must_be_denied("mount_setattr", 442, 442, -1, 0, 0, 0, 0)
attack.must_be_denied("statmount", 457, 457, 0, 0, 0, 0)
attack.must_be_denied("listmount", 458, 458, 0, 0, 0, 0)
