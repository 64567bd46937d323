"""Crawl the site of a start URL with Crawlee, one dataset item a page.

Input: ``startUrl``, ``maxPages`` (50), ``pauseSeconds`` in each page (0) and ``drainOnAbort``:
whether an abort lets the pages in work be finished before the run ends (no).
"""

import asyncio

from apify import Actor, Event
from crawlee import ConcurrencySettings
from crawlee.crawlers import ParselCrawler, ParselCrawlingContext

MAX_CONCURRENCY = 5
"""Most pages at a time."""


async def main() -> None:
    """Read the input and crawl; the requests are in the run's queue, so a resurrection goes on."""
    async with Actor:
        run_input = await Actor.get_input() or {}
        crawler = ParselCrawler(
            max_requests_per_crawl=run_input.get("maxPages", 50),
            concurrency_settings=ConcurrencySettings(
                desired_concurrency=1, max_concurrency=MAX_CONCURRENCY
            ),
        )

        @crawler.router.default_handler
        async def page(context: ParselCrawlingContext) -> None:
            """Take what is asked for from one page, and queue the pages of the site it links to."""
            await asyncio.sleep(run_input.get("pauseSeconds", 0))
            await context.enqueue_links()
            title = context.selector.css("title::text").get()
            await context.push_data({"url": context.request.url, "title": title})

        if run_input.get("drainOnAbort", False):
            Actor.on(Event.ABORTING, lambda _: crawler.stop("The run is being aborted."))

        statistics = await crawler.run([run_input["startUrl"]])
        await Actor.set_value(
            "OUTPUT",
            {"finished": statistics.requests_finished, "failed": statistics.requests_failed},
        )


asyncio.run(main())
