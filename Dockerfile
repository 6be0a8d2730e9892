# syntax=docker/dockerfile:1
# check=skip=SecretsUsedInArgOrEnv
# No argument below is a secret: the names that look like one contain paths of files.
#
# Maskline as an image: about 100 MB, one executable, no shell. The executable reaches only the hosts
# and reads only the files that it was compiled for, so these are build arguments:
#
#   docker build -t maskline \
#     --build-arg SQS_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/123456789012/login-queue \
#     --build-arg DATABASE_URL=postgres://db.example.org:5432/app .
#
# A build argument stays readable in the image's history: give DATABASE_URL without a password here.
# At run time the settings come from the environment as usual (maskline --help).
#
# Tags can be moved. To pin an image, write its digest after the tag (FROM name:tag@sha256:…), as
# `docker buildx imagetools inspect name:tag` prints it. Dependabot and Renovate keep pins up to date.

# All interfaces of the container, so that the port can be published. Set the same one at run time.
ARG HTTP_ADDRESS=0.0.0.0:8080

FROM denoland/deno:2.9.6 AS build
WORKDIR /maskline
USER deno
# A layer of its own: it is rebuilt only when a dependency changes.
COPY deno.json deno.lock ./
RUN deno install --quiet --frozen
COPY main.ts ./
COPY lib/ lib/
COPY deploy/ deploy/

# The hosts: derived from these URLs, or listed by hand in ALLOW_NET, including HTTP_ADDRESS and
# 127.0.0.1:<its port> (which the health check asks). An emulator's URL is its own endpoint.
ARG ALLOW_NET
ARG SQS_QUEUE_URL
ARG SQS_DLQ_URL
ARG AWS_ENDPOINT_URL_SQS
ARG DATABASE_URL
ARG VAULT_DATABASE_URL
ARG HTTP_ADDRESS
# Where AWS credentials come from: container (ECS, EKS pod identity), web_identity (EKS service
# accounts), instance (EC2), environment or profile. The others say what that source reaches and reads.
ARG CREDENTIAL_SOURCE=container
ARG AWS_REGION
ARG AWS_CONTAINER_CREDENTIALS_FULL_URI
ARG AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
ARG AWS_WEB_IDENTITY_TOKEN_FILE
ARG AWS_CONFIG_FILE
ARG AWS_SHARED_CREDENTIALS_FILE
# Paths of mounted secrets, such as /run/secrets/mask_key. A binary that was not compiled for a path
# cannot read it. DATABASE_URL names the certificate of the database's authority: ?sslrootcert=PATH.
ARG DATABASE_URL_FILE
ARG MASK_KEY_FILE
ARG MASK_PEPPER_FILE
ARG VAULT_DATABASE_URL_FILE
RUN deno run --quiet --frozen --allow-all deploy/compile.ts --output /tmp/maskline \
  && /tmp/maskline --version

# glibc, libgcc and the CA certificates; no shell and no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Maskline" \
  org.opencontainers.image.description="Moves events with personal data from a queue into Postgres, without the personal data" \
  org.opencontainers.image.licenses="MIT"
COPY --from=build /tmp/maskline /usr/local/bin/maskline
ARG HTTP_ADDRESS
ENV HTTP_ADDRESS=${HTTP_ADDRESS}
# By number, so that Kubernetes' runAsNonRoot can check it. It is the base image's user nonroot.
USER 65532:65532
EXPOSE 8080
# SIGTERM begins a stop. Allow more time than STOP_SECONDS (20): docker stop -t 30.
STOPSIGNAL SIGTERM
# A worker answers only after its queue and its database did, so the start period is long.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["/usr/local/bin/maskline", "check", "--health"]
ENTRYPOINT ["/usr/local/bin/maskline"]
CMD ["run"]
