// Count with the JavaScript SDK, one dataset item a number, and go on after any interruption.
//
// Input: `until` which number to count (10), `pauseSeconds` before each of them (0),
// `callActor` to call at the end (none) with `callInput` as its input.

import { setTimeout as sleep } from 'node:timers/promises';

import { Actor, log } from 'apify';

// By default the SDK ends the run on `aborting` and moves it on `migrating`, whatever it is at.
// Here the number in work is finished first: else it might be counted again.
await Actor.init({ gracefulShutdown: false });
const stopping = new AbortController();
for (const event of ['aborting', 'migrating']) {
    Actor.on(event, () => stopping.abort(event));
}

const input = (await Actor.getInput()) ?? {};
// The SDK saves it each minute, when the platform asks for it, and at the end.
const state = await Actor.useState('STATE', { counted: 0, starts: 0 });
state.starts += 1;
log.info(`Start ${state.starts}: ${state.counted} counted before`);

await count(input, state, stopping.signal);
if (stopping.signal.reason === 'migrating') {
    // Another pod goes on at once; without this it would when this one is taken away.
    await Actor.reboot();
}
if (stopping.signal.aborted) {
    log.info(`Aborting: ${state.counted} counted`);
    await Actor.exit();
} else {
    await Actor.setValue('OUTPUT', await output(input, state));
    await Actor.exit(`Counted all ${state.counted}`);
}

// Count to the end, or until the run is stopped.
async function count({ until = 10, pauseSeconds = 0 }, state, signal) {
    while (state.counted < until) {
        await sleep(pauseSeconds * 1000, undefined, { signal }).catch(() => {});
        if (signal.aborted) {
            return;
        }
        const number = state.counted + 1;
        await Actor.pushData({ number, start: state.starts });
        state.counted = number;
        await Actor.setStatusMessage(`Counted ${number} of ${until}`);
    }
}

// The result; with that of the other actor, if one is to be called.
async function output({ callActor, callInput = {} }, { counted, starts }) {
    if (!callActor) {
        return { counted, starts };
    }
    const run = await Actor.call(callActor, callInput);
    const store = Actor.apifyClient.keyValueStore(run.defaultKeyValueStoreId);
    const record = await store.getRecord('OUTPUT');
    const called = { runId: run.id, status: run.status, output: record?.value ?? null };
    return { counted, starts, called };
}
