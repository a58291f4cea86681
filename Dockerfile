# The image of the server. It is built in the steps of tests/run: packages by tests/setup, then the release preset.
#
#   docker build --tag meshwrit .

FROM debian:12 AS build
WORKDIR /src
# Alone first: as long as it does not change, the packages come from the cache.
COPY tests/setup tests/setup
RUN tests/setup --build-only
COPY . .
RUN cmake --preset release \
 && cmake --build --preset release \
 && DESTDIR=/out cmake --install build/release --prefix /usr

FROM debian:12-slim
# What the binary is linked with, and the CAs for Git over HTTPS. Debian's fixes to libgit2 must be in; the version that
# the library gives of itself does not show them.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
        ca-certificates \
        libgit2-1.5 \
        libh2o-evloop0.13 \
        libjansson4 \
        libssl3 \
        libyaml-0-2 \
 && dpkg --compare-versions "$(dpkg-query --show --showformat='${Version}' libgit2-1.5)" ge '1.5.1+ds-1+deb12u2' \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/usr /usr
# The folders that the manifests mount: the root file system is read-only there.
RUN install -d -o 65532 -g 65532 -m 0700 /var/lib/meshwrit /var/log/meshwrit \
 && install -d /etc/meshwrit
# By number: a cluster can then see that it is not root.
USER 65532:65532
ENTRYPOINT ["/usr/bin/meshwrit"]
CMD ["serve"]
