"""Filters, order and pages of ListProcessingJobs and ListTrainingJobs, which take the same ones."""

from collections.abc import Iterable, Mapping
from typing import Any

from local_cloud.sagemaker.jobs.job import Job
from local_cloud.sagemaker.listing import page, sort, within

_SORT_KEYS = {
    "Name": lambda job: job.identity.name,
    "CreationTime": lambda job: job.identity.created,
    "Status": lambda job: job.state.status,
}


def list_jobs(jobs: Iterable[Job], params: Mapping[str, Any]) -> tuple[list[Job], dict[str, str]]:
    """The page of jobs that a List request asks for."""
    wanted = [job for job in jobs if _matches(job, params)]
    ordered = sort(wanted, key=_SORT_KEYS[params.get("SortBy", "CreationTime")], order=params.get("SortOrder"))
    return page(ordered, params, identity=lambda job: job.identity.arn)


def _matches(job: Job, params: Mapping[str, Any]) -> bool:
    return (
        params.get("NameContains", "").lower() in job.identity.name.lower()
        and params.get("StatusEquals", job.state.status) == job.state.status
        and within(job.identity.created, after=params.get("CreationTimeAfter"), before=params.get("CreationTimeBefore"))
        and within(
            job.state.modified, after=params.get("LastModifiedTimeAfter"), before=params.get("LastModifiedTimeBefore")
        )
    )
