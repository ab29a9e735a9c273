#!/usr/bin/env node
// Plain JavaScript: an old Node can run it and print a clear error, where it could not load a `.ts` file.
if (Number.parseInt(process.versions.node, 10) < 24) {
  console.error(
    `rollcall: needs Node 24 or newer, this is Node ${process.versions.node}; npm scripts use the Node that npm ci installs: npm start`,
  );
  process.exit(1);
}
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2), process.env);
