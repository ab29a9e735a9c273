#!/usr/bin/env node
// Plain JavaScript: an old Node can run it and print a clear error, where it could not load a `.ts` file.
const [major, minor] = process.versions.node.split('.').map(Number);
// From 22.18 on Node strips types without a flag.
if (major < 22 || (major === 22 && minor < 18) || (major === 23 && minor < 6)) {
  console.error(
    `rollcall: needs Node 22.18 or newer, this is Node ${process.versions.node}; npm scripts use the Node that npm ci installs: npm start`,
  );
  process.exit(1);
}
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2), process.env);
