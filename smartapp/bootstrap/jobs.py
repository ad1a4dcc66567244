"""The jobs of a worker, from the ground up."""

from smartapp.bootstrap.apps import build_alerts, build_jobs_of_grants, build_logos_job
from smartapp.bootstrap.ground import Ground
from smartapp.bootstrap.worklist import build_worklist_job
from smartapp.db.outbox.service import Outbox
from smartapp.jobs.loop import Job
from smartapp.jobs.mail import MailJob
from smartapp.jobs.tidy import TidyJob
from smartapp.outbound.mail import MailDoor


def build_jobs(ground: Ground) -> tuple[Job, ...]:
    """All jobs that the settings have a use for: without a mail server, letters of before wait."""
    outbox = Outbox(ground.database, ground.keyring, ground.clock)
    jobs: list[Job] = [
        TidyJob(outbox, ground.clock),
        *build_jobs_of_grants(ground, outbox, build_alerts(ground)),
        build_logos_job(ground),
        build_worklist_job(ground, outbox),
    ]
    mail = ground.settings.mail
    if mail.smtp_host:
        jobs.append(MailJob(outbox, MailDoor(mail), mail.sender, ground.clock, ground.audit))
    return tuple(jobs)
