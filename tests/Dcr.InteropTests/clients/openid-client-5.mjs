import { Issuer } from 'openid-client-5';
import { runWith } from './openid-client-4-and-5.mjs';

await runWith(Issuer);
