/* The kernel's serial reference. */
int pp_kernel_version(void);
int pp_kernel_version(void) { return 1; }
