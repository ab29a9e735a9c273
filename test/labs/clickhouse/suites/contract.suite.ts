import { callsContract } from '../../../store/calls-contract.ts';
import { storeContract } from '../../../store/contract.ts';
import { detailsContract } from '../../../store/details-contract.ts';
import { identityContract } from '../../../store/identity-contract.ts';
import { recordContract } from '../../../store/record-contract.ts';
import { traitContract } from '../../../store/trait-contract.ts';
import { clickhouse } from './engine.ts';

storeContract('clickhouse', clickhouse);
identityContract('clickhouse', clickhouse);
recordContract('clickhouse', clickhouse);
callsContract('clickhouse', clickhouse);
detailsContract('clickhouse', clickhouse);
traitContract('clickhouse', clickhouse);
