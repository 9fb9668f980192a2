# Where interrupts and exceptions enter. Each runs on a stack of its own, with
# interrupts masked.

    .text
    .balign 16
    .globl timer_entry
timer_entry:
    # What Rust code may change: the registers that a caller saves, and those
    # of SSE.
    pushq %rbp
    movq %rsp, %rbp
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    subq $512, %rsp
    andq $-16, %rsp
    fxsave64 (%rsp)
    cld
    call on_timer
    fxrstor64 (%rsp)
    leaq -72(%rbp), %rsp
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    popq %rbp
    iretq

    .globl spurious_entry
spurious_entry:
    iretq

    # 32 entries of exceptions, 16 bytes apart, that never return. Some come
    # with an error code; for the others 0 stands in its place.
    .balign 16
    .globl exception_entries
exception_entries:
    .set vector, 0
    .rept 32
    .balign 16
    .if !((0x60227d00 >> vector) & 1)
    pushq $0
    .endif
    pushq $vector
    jmp exception
    .set vector, vector + 1
    .endr
exception:
    popq %rdi
    popq %rsi
    movq (%rsp), %rdx
    andq $-16, %rsp
    cld
    call on_exception                   # (vector, error code, where)
    ud2
