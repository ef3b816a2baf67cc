// leftover: semaphore=2@ipc::Channel::Channel shared_memory=2@ipc::Channel::Channel thread=1(note)@Pump::start
// A C++ program whose destructors do not run: it ends by exit in the midst of things.
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace ipc {

class Channel {
public:
    explicit Channel(const std::string& name)
        : name_{"/sample-" + std::to_string(getpid()) + "-" + name},
          ready_{sem_open(name_.c_str(), O_CREAT | O_EXCL, 0600, 0)},
          memory_{shm_open(name_.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600)} {
        if (ready_ == SEM_FAILED || memory_ < 0) {
            std::abort();
        }
    }

    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    ~Channel() {
        sem_close(ready_);
        sem_unlink(name_.c_str());
        close(memory_);
        shm_unlink(name_.c_str());
    }

private:
    std::string name_;
    sem_t* ready_;
    int memory_;
};

}  // namespace ipc

struct Pump {
    void start() {
        worker = std::thread{[] {
            for (;;) {
                pause();
            }
        }};
    }

    std::thread worker;
};

int main() {
    ipc::Channel{"tidy"};
    std::vector<std::unique_ptr<ipc::Channel>> channels;
    channels.push_back(std::make_unique<ipc::Channel>("in"));
    channels.push_back(std::make_unique<ipc::Channel>("out"));
    Pump pump;
    pump.start();
    std::cout << "two channels are left" << std::endl;
    std::exit(3);
}
