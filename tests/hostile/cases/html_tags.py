# /// script
# dependencies = ["pkg"]
#
# [tool.fixproof]
# package = "pkg"
# title = "Prints HTML and what ends other formats"
# fixed = "2.0"
# signature = "^BUG: "
# timeout = 5
#
# [tool.hostile]
# ends = "exit 0"
# says = "absent"
# ///
print("</code></pre></td></table><script>alert(1)</script><img src=x onerror=alert(1)>")
print("<!-- --><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;]]><![CDATA[")
print("&#60;script&#62; {{ 7 * 7 }} {% raw %} ${7 * 7} <%= 7 * 7 %>")
