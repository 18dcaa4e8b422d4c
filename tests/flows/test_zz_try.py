import time, collections, cProfile, pstats
from random import Random
from tests.flows.crash_plan import settings, Story
from tests.flows.crash_stage import open_stage
from tests.flows.crash_story import Telling
import structlog, logging

async def test_try(house):
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    async with open_stage(house) as stage:
        for i, setting in enumerate(list(settings())[:40]):
            await Telling(stage, Story(setting, i), Random(i)).tell()
        t=time.perf_counter(); await stage.renew(); print("renew", time.perf_counter()-t)
        t=time.perf_counter(); n=0; hit=set()
        p=cProfile.Profile(); p.enable()
        for i, setting in enumerate(list(settings())[:60]+list(settings())[-4:]):
            story = Story(setting, i)
            telling = Telling(stage, story, Random(i))
            w = await telling.tell()
            n+=1; hit|={f.point for f in stage.fuse.passed}
            if w: print(story, w[:4])
            if n % 20 == 0: print(n, time.perf_counter()-t)
        p.disable()
        print(n, time.perf_counter()-t)
        pstats.Stats(p).sort_stats("tottime").print_stats(25)
        pstats.Stats(p).sort_stats("cumtime").print_stats(1)
        print(await stage.auditor.audit_all())
