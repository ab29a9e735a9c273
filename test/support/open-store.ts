import { openDatabase } from '../../core/store/sqlite/open.ts';

/** Opens the store of its argument, which migrates it, and ends. */
openDatabase(process.argv[2]!, 'write').close();
