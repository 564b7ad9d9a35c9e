# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Loads and unloads modules and kernels"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
import attack

attack.must_be_denied("init_module", 175, 105, 0, 0, 0)
attack.must_be_denied("finit_module", 313, 273, -1, 0, 0)
attack.must_be_denied("delete_module", 176, 106, 0, 0)
attack.must_be_denied("kexec_load", 246, 104, 0, 0, 0, 0)
attack.must_be_denied("kexec_file_load", 320, 294, -1, -1, 0, 0, 0)
