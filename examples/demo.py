"""What `make demo` runs: all four models through a private Redis and a real worker, on embedded data.

It is also an example of Quartet from Python: `temporary_service` starts a private Redis and a worker,
`Client` submits the jobs.
"""

import sys
import time

from jobs import Client, Settings
from jobs.errors import QuartetError
from jobs.local.supervisor import stopped_by_signals, temporary_service
from jobs.showing.job_text import headline_text
from jobs.showing.progress import show_progress

REVIEWS = [
    "The acting is superb and the ending stays with you. I would see it again.",
    "The first half is not clever, the second half is dull, and the cast is wooden.",
    "I saw it on a rainy Sunday. The script is stale, but the lead is brilliant.",
]


def main() -> None:
    """Queue all jobs at once; those that need a training job wait for it."""
    began = time.monotonic()
    with stopped_by_signals(), temporary_service(Settings()) as service:
        client = Client(service.settings)
        basic = client.submit(
            "autoencoder", "train", data="digits", epochs=100, batch_size=64, name="demo autoencoder"
        )
        denoiser = client.submit(
            "denoiser", "train", data="digits", epochs=150, batch_size=64, name="demo denoiser"
        )
        textgen = client.submit("textgen", "train", data="pydoc", epochs=8, name="demo textgen")
        sentiment = client.submit(
            "sentiment", "train", data="toy-reviews", batch_size=32, learning_rate=5e-3, name="demo sentiment"
        )
        queued = [
            basic,
            denoiser,
            textgen,
            sentiment,
            client.submit("autoencoder", "evaluate", source=basic.id),
            client.submit("autoencoder", "generate", source=basic.id),
            client.submit("denoiser", "evaluate", source=denoiser.id, baseline=basic.id),
            client.submit("denoiser", "generate", source=denoiser.id),
            client.submit("textgen", "evaluate", source=textgen.id),
            client.submit("textgen", "generate", source=textgen.id, prompt="The value of "),
            client.submit("sentiment", "evaluate", source=sentiment.id, target_precision=0.95),
            client.submit("sentiment", "generate", source=sentiment.id, text=REVIEWS),
        ]
        ended = [show_progress(client.watch(job.id), service.check) for job in queued]
    for job in ended:
        sys.stdout.write(f"{job.kind:22} {job.state:10} {headline_text(job):24} {job.report}\n")
    sys.stdout.write(f"\n{time.monotonic() - began:.0f} s. Open {client.results.root / 'index.html'}\n")
    if any(job.state != "succeeded" for job in ended):
        raise SystemExit(1)


if __name__ == "__main__":
    try:
        main()
    except QuartetError as error:
        sys.stderr.write(f"quartet: {error}\n")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
