// The files beside this one, as bytes.
    .section .rodata
    .global leftover_page_css, leftover_page_css_end
leftover_page_css:
    .incbin "reporter/html/page.css"
leftover_page_css_end:
    .global leftover_page_script, leftover_page_script_end
leftover_page_script:
    .incbin "reporter/html/page.js"
leftover_page_script_end:
    .global leftover_page_licences, leftover_page_licences_end
leftover_page_licences:
    .incbin "reporter/html/licences.txt"
leftover_page_licences_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
