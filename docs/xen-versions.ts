// SPDX-License-Identifier: Apache-2.0
// What the ports of the series to Xen differ in, and why: a note for each patch, by its file's name
// up to the first letter. generate-xen-versions.ts makes docs/xen-versions.md of it.

/** Why upstream's tree needs a patch of its own before the series. */
export const fixNotes: Readonly<Record<string, string>> = {
  "fix-0001":
    "Built by Debian's gcc 12 with XSM, upstream's tree reads `xsm_ops` after it has been freed: the first `XENMEM_populate_physmap` of any toolstack is a fatal page fault. 4.17's source has the same operand; its compiled code happens not to read it.",
  "fix-0002":
    "4.23 keeps domids in a bitmap, and does not give back that of a domain whose creation is refused at once. A hostile boot domain could use up all of them, for good.",
};

/** What the patch for 4.23 does otherwise than the one for 4.17, beside names and context. */
export const portNotes: Readonly<Record<string, string>> = {
  "0001":
    "4.23 has neither `kexec_load_v1_arch()` nor xenoprof. Its handlers of global VIRQs test for their absence already; vPCI was read as well.",
  "0002": "4.23 takes a dying domain's foreign mappings away, in one more loop on that path.",
  "0003":
    "4.23 builds dom0 from a `struct boot_domain` of its own, a name that is not about this boot domain; it is filled for the boot domain, too. The domid comes from 4.23's bitmap. A PVH dom0's permissions are set elsewhere, where a boot domain does not come by.",
  "0004": "Nothing.",
  "0005": "`avail_domheap_pages()` is gone; the same count comes by another function.",
  "0006":
    "Reading the debug port is no error in 4.23: it answers 0xe9, also without the right to write to the log.",
  "0007": "Nothing.",
  "0008":
    "A creation may not ask for altp2m, which is in 4.23's structure. The test of a domctl comes before those that 4.23 serves without its lock.",
  "0009":
    "Domids are taken from a bitmap, which knows hidden domains; 4.17 asks the list of domains.",
  "0010":
    "A domain is the hardware domain by a flag in 4.23. Domid 0 alone made one as well, and a control domain may ask for domid 0 there: that is closed. The ARINC 653 scheduler goes by the control privilege, not by domid 0. Console input goes to the domain with domid 0 only if that is the hardware domain: it is led to the console's reader.",
  "0011": "Nothing.",
  "0012": "Nothing.",
  "0013":
    "A start fails with -EBUSY in 4.23 if pages of the domain wait to be scrubbed; it is not stamped then.",
  "0014": "Nothing.",
  "0015": "Nothing.",
  "0016":
    "The option `dom0=` is read in common code in 4.23, and left out there. A test builds and boots this only for 4.17.",
  "0017": "The image's name is not among Xen's options in 4.23.",
  "0018": "Nothing.",
  "0019": "Nothing.",
  "0020": "Nothing.",
  "0021":
    "A creation may ask for no SVE, no SCMI and no memory system of ARMv8-R, which are in 4.23's structure.",
  "0022":
    "4.23 says for each domain whether it may read Xen's console: the UART alone does not let an Initial Domain.",
  "0023":
    "In 4.23 unmapped addresses abort for domains that ask for it: for the boot domain, and not for Initial Domains, where they read as ones.",
  "0024": "What reads kernels and allocates memory is common code in 4.23.",
  "0025": "Interrupts are numbered from the local ones on in 4.23.",
  "0026": "4.23 keeps modules from the heap if it is told of a static one: a copy, then.",
  "0027": "Nothing.",
  "0028": "Nothing.",
  "0029": "Nothing.",
  "0030": "Nothing.",
  "0031": "Nothing.",
  "0032": "Nothing.",
  "0033": "Nothing.",
};
