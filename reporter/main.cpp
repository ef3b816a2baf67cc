// Stands in until there is a command.
int main() {}
