# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Prints Markdown that would end the block it is shown in"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
for length in (3, 4, 7, 40):
    for mark in "`~":
        print(mark * length, "text", sep="")
        print(" " * 3 + mark * length)
print("# Verified Execution")
print("| a | b |\n|---|---|\n[x](javascript:alert(1)) ![x](https://example.invalid/x.png)")
print("<details>\n\n> quoted\n\n---\n\n[^1]: note @all #1 GH-1")
