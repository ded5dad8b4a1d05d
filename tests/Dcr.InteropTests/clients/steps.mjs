// One step at a time: each is told as one line of JSON on standard output, and the next begins when the test says so.
// What goes wrong is told on standard error, with the step it went wrong in, and ends the process with 1.
import { createInterface } from 'node:readline';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** What the test hands over: the issuer, and clients with their private keys. */
export const settings = JSON.parse((await lines.next()).value);

/**
 * @param {string} name
 * @param {() => Promise<any>} act throws when the server does not answer as it must
 * @param {(result: any) => object} tell what the test wants to know of the result
 */
export async function step(name, act, tell = () => ({})) {
  let result;
  try {
    result = await act();
  } catch (fault) {
    console.error(`${name}: ${describe(fault)}`);
    process.exit(1);
  }
  console.log(JSON.stringify({ step: name, ...tell(result) }));
  if ((await lines.next()).done) {
    console.error(`${name}: the test went away`);
    process.exit(1);
  }
  return result;
}

/** No more is to come. */
export const end = () => process.exit(0);

/** The server must say no, with this error. Some libraries throw the answer, and some return it as it is. */
export async function refused(error, act) {
  let answer;
  try {
    answer = await act();
  } catch (fault) {
    answer = fault;
  }
  if ((await errorOf(answer)) !== error) {
    throw new Error(`expected ${error}, got ${describe(answer)}`);
  }
}

async function errorOf(answer) {
  // oauth4webapi, and openid-client 6 with it, stop at the header WWW-Authenticate and leave the body to be read.
  const body = answer?.body ?? (answer?.response instanceof Response ? await answer.response.json() : {});
  return answer?.error ?? answer?.errorCode ?? body.error;
}

function describe(fault) {
  if (!(fault instanceof Error)) {
    return JSON.stringify(fault);
  }
  const parts = [fault.error ?? fault.errorCode, fault.error_description, fault.message, fault.cause && describe(fault.cause)];
  return [...new Set(parts.filter(Boolean))].join(': ');
}
