// Call the JavaScript client as a test says, and print what it answers as one line of JSON.
//
// Standard input: {"baseUrl": …, "token": …, "chain": [[METHOD, ARGUMENT…], …]}. The methods are
// called one after the other, the first of the client, each of the next of what the last returned:
// [["run", "abc"], ["dataset"], ["listItems", {"limit": 5}]].
//
// Output: {"result": …}, or {"error": {"name", "message", "type", "statusCode", "attempt"}}.
// Bytes are {"$bytes": BASE64} on both ways; a stream is read to its end and is bytes.

import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';

import { ApifyClient } from 'apify-client';

// The client prints the logs of runs that it waits for; standard output is the answer's.
console.log = console.error;

// Retries would hide a server's failure from the test, and make it slow to tell.
const CLIENT_OPTIONS = { maxRetries: 0 };

const command = JSON.parse(await text(process.stdin), (_, value) =>
    typeof value?.$bytes === 'string' ? Buffer.from(value.$bytes, 'base64') : value,
);
process.stdout.write(`${JSON.stringify(await answer(command))}\n`);

async function answer({ baseUrl, token, chain }) {
    const client = new ApifyClient({ ...CLIENT_OPTIONS, baseUrl, token });
    try {
        let value = client;
        for (const [method, ...methodArguments] of chain) {
            value = await value[method](...methodArguments);
        }
        return { result: await plain(value) };
    } catch (error) {
        const { name, message, type, statusCode, attempt } = error;
        return { error: { name, message, type, statusCode, attempt } };
    }
}

// What JSON can say; `undefined` (the client's word for "not found") is null.
async function plain(value) {
    if (value instanceof Readable) {
        return plain(await buffer(value));
    }
    if (Buffer.isBuffer(value)) {
        return { $bytes: value.toString('base64') };
    }
    if (value !== null && typeof value === 'object' && Buffer.isBuffer(value.value)) {
        return { ...value, value: await plain(value.value) };
    }
    return value ?? null;
}
