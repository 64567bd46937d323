// Count with the JavaScript SDK, one dataset item a number, and go on after any interruption.
//
// Input: `until` which number to count (10), `pauseSeconds` before each of them (0),
// `callActor` to call at the end (none) with `callInput` as its input.

import { setTimeout as sleep } from 'node:timers/promises';

import { Actor, log } from 'apify';

// How long the SDK may take to end or move the run; it does so within seconds.
const WAIT_FOR_SDK_MILLIS = 60_000;

// From here on the SDK reacts by itself: it saves the state and ends the run on `aborting`,
// and has another pod go on at once on `migrating`.
await Actor.init();

const input = (await Actor.getInput()) ?? {};
const { until = 10, pauseSeconds = 0, callActor, callInput = {} } = input;

// The SDK saves it each minute, when the platform asks for it, and at the end.
const state = await Actor.useState('STATE', { counted: 0, starts: 0 });
state.starts += 1;
log.info(`Start ${state.starts}: ${state.counted} counted before`);

const stopping = new AbortController();
for (const event of ['aborting', 'migrating']) {
    Actor.on(event, () => stopping.abort());
}

while (state.counted < until) {
    await sleep(pauseSeconds * 1000, undefined, { signal: stopping.signal }).catch(() => {});
    if (stopping.signal.aborted) {
        // What is counted after the state was saved would be counted again.
        log.info(`Stopping: ${state.counted} counted`);
        await sleep(WAIT_FOR_SDK_MILLIS);
    }
    const number = state.counted + 1;
    await Actor.pushData({ number, start: state.starts });
    state.counted = number;
    await Actor.setStatusMessage(`Counted ${number} of ${until}`);
}

const output = { counted: state.counted, starts: state.starts };
if (callActor) {
    const run = await Actor.call(callActor, callInput);
    const record = await Actor.apifyClient
        .keyValueStore(run.defaultKeyValueStoreId)
        .getRecord('OUTPUT');
    output.called = { runId: run.id, status: run.status, output: record?.value ?? null };
}
await Actor.setValue('OUTPUT', output);
await Actor.exit(`Counted all ${state.counted}`);
