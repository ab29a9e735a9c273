/** Of this package: package.json says the same, and a test compares them. */
export const packageVersion = '0.1.0';
