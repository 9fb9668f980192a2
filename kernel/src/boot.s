# From the loader, or from another CPU's wake-up, to Rust.
#
# Every CPU comes to `enter` in 32-bit mode with its index in %esi, and leaves
# it in 64-bit mode on a stack of its own, with all of the first 4 GiB mapped
# where they are.

    # What makes this a kernel for PVH: the loader jumps to the address.
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18                      # XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long pvh_start

    .section .data.boot, "aw"
    .balign 4096
pages:                                  # 512 GiB an entry
    .quad gigabytes + 0x3
    .skip 4096 - 8
gigabytes:                              # present, writable, 1 GiB a page
    .quad 0x00000083, 0x40000083, 0x80000083, 0xc0000083
    .skip 4096 - 4 * 8
    .set CODE64, 0x08
    .set DATA, 0x10
    .set CODE32, 0x18
segments:
    .quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff, 0x00cf9a000000ffff
cpus_entered:
    .long 1

    .section .bss.boot, "aw", @nobits
    .balign 16
stacks:
    .skip {CPUS} * {STACK}

    .section .text.boot, "ax"

    # The first CPU: 32-bit mode, no paging, %ebx points to the start info.
    .code32
    .globl pvh_start
pvh_start:
    cli
    movl %ebx, %edi
    xorl %esi, %esi
    lgdtl segments_register
    ljmpl $CODE32, $enter

    # The others begin in 16-bit mode, at a page below 1 MiB to which
    # everything up to `wake_end` is copied. What they need of it they find
    # by %cs.
    .code16
    .globl wake, wake_end
wake:
    cli
    lgdtl %cs:segments_register - wake
    movl %cr0, %eax
    orl $1, %eax                        # protected mode
    movl %eax, %cr0
    ljmpl $CODE32, $woken
segments_register:
    .word 4 * 8 - 1
    .long segments
wake_end:

    .code32
woken:
    xorl %edi, %edi
    movl $1, %esi
    lock xaddl %esi, cpus_entered

enter:
    movw $DATA, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $pages, %eax
    movl %eax, %cr3
    movl $0x6a0, %eax                   # 64-bit page entries, global pages, SSE
    movl %eax, %cr4
    movl $0xc0000080, %ecx              # the register EFER: 64-bit mode
    rdmsr
    orl $0x100, %eax
    wrmsr
    movl $0x80000033, %eax              # paging, FPU; caches on
    movl %eax, %cr0
    ljmpl $CODE64, $enter64

    .code64
enter64:
    movl %esi, %esi
    leaq 1(%rsi), %rsp
    imulq ${STACK}, %rsp, %rsp
    addq $stacks, %rsp
    xorl %ebp, %ebp
    cld
    call start                          # (start info, index)
    ud2
