import { defaultRetention } from '../../../core/config/retention.ts';
import { StoreTransactions } from '../../../core/store/sqlite/writer/transactions.ts';

/** Compacts and converts everything that a store holds, as the writer's thread does, and ends. To be killed. */
const [path = '', asOfS = ''] = process.argv.slice(2);
const clock = { wallS: Number(asOfS), uptimeS: 0 };
const transactions = new StoreTransactions(path, defaultRetention, clock);
process.stdout.write('begun\n');
const nowS = Number(asOfS);
transactions.rollUp(nowS);
while (transactions.compactOne(nowS, true) || transactions.convertSome(nowS));
transactions.close();
process.stdout.write('done\n');
