/** Where the binary of Cerbos is, which is a package for each kind of machine, of ninety megabytes: fetched by who asks for it. */
export const cerbosVersion = '0.51.0';
export const cerbosPackage = `@cerbos/cerbos-${process.platform}-${process.arch}`;
/** From the root of the repository. */
export const cerbosFolder = 'node_modules/.cache/cerbos';
